"""The review page of a batch: the data of each entry, and the template, style and script that show it."""
