"""Networks trained by torch."""
