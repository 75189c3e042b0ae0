"""What is asked: runs, studies, settings, file paths and tidy tables."""
