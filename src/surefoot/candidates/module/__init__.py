"""Modules of torch."""
