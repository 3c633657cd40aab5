"""The steps a command is made of: values in, values out."""
