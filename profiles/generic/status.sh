#!/bin/sh
# Answers "running", "success" or "failed" for the id of a batch job.
if answer=$(scontrol -o show job "$1" 2>&1); then
  state=$(echo "$answer" | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p')
else
  case "$answer" in
    *"Invalid job id"*) # forgotten by the controller: the accounts know, if they are kept
      state=$(sacct -nPX -o State -j "$1" 2>/dev/null | sed -n '1s/ .*//;1p')
      state=${state:-FAILED} ;;
    *) state=UNKNOWN ;; # a controller that does not answer says nothing about the job
  esac
fi
case "$state" in
  COMPLETED) echo success ;;
  FAILED | CANCELLED | TIMEOUT | OUT_OF_MEMORY | NODE_FAIL | BOOT_FAIL | DEADLINE | PREEMPTED)
    echo failed ;;
  *) echo running ;;
esac
