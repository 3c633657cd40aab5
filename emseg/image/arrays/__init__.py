"""Images that come from memory: arrays, and pictures of other libraries."""
