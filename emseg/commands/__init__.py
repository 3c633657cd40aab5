"""What `import emseg` offers: image and options in, result out. No printing."""
