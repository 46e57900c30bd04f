"""Turn videos, captures, motions or prompts into gated motions, a review page and an archive for TM2M. Each file
imports only from files above it.

| file | role |
| --- | --- |
| `settings.py` | settings from the flags |
| `layout.py` | paths of the files of a run |
| `items.py` | an entry with its source files, and the step at which it starts |
| `texts.py` | the description of each entry |
| `inputs.py` | entries from folders, files, archives, CSV and text files |
| `board.py` | progress bar, messages and their logs, failures |
| `stamps.py` | which captures and overlays are up to date |
| `wrappers.py` | runs the shell wrappers of steps 1 and 2 |
| `work.py` | the work of worker processes: capture, motion, overlay |
| `steps.py` | steps 1 to 3 for all entries |
| `summary.py` | the table at the end |
| `judging.py` | step 4: render, gate, choice among candidates, page, archive for TM2M |
| `trial_call.py` | one cheap call to the judge's service |
| `checks.py` | checks before any work |
| `plan.py` | the plan of `--dry-run` |
| `run.py` | the whole run |
"""
