"""What every part uses: errors, the command line, frame rates."""
