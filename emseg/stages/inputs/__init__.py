"""What a command is given, and what may be refused of it: images, masks, files, features, limits, memory."""
