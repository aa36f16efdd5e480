"""Candidates: model configurations that can be trained from scratch, and spaces of them."""
