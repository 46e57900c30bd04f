"""Step 3: captures to motions."""
