"""From a fitted mixture to labels: fields, fractions of mixed pixels, colours, connected regions."""
