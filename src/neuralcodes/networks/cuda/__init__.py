"""What training does on CUDA alone: many steps as one graph."""
