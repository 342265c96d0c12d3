"""Test splits become metrics and figures, beside baselines."""
