"""Export entries with texts, figures and verdicts to other labelling programs: Label Studio and FiftyOne."""
