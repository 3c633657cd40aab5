"""Pictures for people: label maps, overlays, restored images, and their colours."""
