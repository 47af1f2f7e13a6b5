-- Nothing to undo: the copies stay as long as the triggers keep them current.
select;
