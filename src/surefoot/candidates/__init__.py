"""Candidates: model configurations that can be trained from scratch."""
