"""This machine's cores: threads, and worker processes."""
