"""Many items at once: threads, worker processes, Ray, shared flags and reports."""
