"""The page on which people review a batch: what it shows of each entry, and the template, style and script that show
it.
"""
