"""Results as files: label maps, overlays, logs, models and reports, written whole or not at all."""
