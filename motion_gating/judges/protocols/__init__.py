"""Ways to question a model about a clip: one question, or evidence in parts."""
