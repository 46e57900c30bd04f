"""The best of several candidates for one text: by figures, by pairs shown to a judge, or by a person's choice.

candidate: a candidate with its figures, and why it dropped out. contest: the pairs shown to a judge, and the winner.
groups: candidates from an archive and a report. group_rank: the ranks of a group, with reasons.
ranking: the run over an archive. plan: an estimate of the calls. ranking_run: the run from its flags.
"""
