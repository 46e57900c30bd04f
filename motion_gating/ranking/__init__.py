"""The best of several candidates for one text: by figures, by pairs shown to a judge, or by a person's choice.

candidate: a candidate with its figures, and why it dropped out. contest: the pairs that are asked, and who stays.
groups: candidates from an archive and a report. group_rank: the ranks of a group, with their reasons.
ranking: the run over an archive. plan: the calls of a run before it. ranking_run: the run from its flags.
"""
