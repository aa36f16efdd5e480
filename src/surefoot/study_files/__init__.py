"""study_files."""
