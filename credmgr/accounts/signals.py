"""What happens to an account, told to the layer above, which may write the audit.

Each is sent inside the request it belongs to with `request` and `user`.
"""

from django.dispatch import Signal

stepped_up = Signal()
step_up_refused = Signal()
