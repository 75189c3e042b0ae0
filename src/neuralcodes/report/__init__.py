"""The page and the printed tables."""
