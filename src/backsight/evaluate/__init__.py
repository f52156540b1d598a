"""How well predictions fit the truth: predict to files, baselines, score, tables and a report with pictures."""
