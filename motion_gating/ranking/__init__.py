"""The best of several candidates for one text: by figures, by pairs shown to a judge, or by a person's choice."""
