-- What would keep the rows from coming back. Looked at before a rollback begins, wherever it begins, and again
-- as part of this step.

do $$
begin
  if to_regprocedure('archive.check_way_back()') is null then
    raise exception 'archive: the rows kept for the way back are gone'
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'The archive was dropped. From here the only way is a backup.';
  end if;
  perform archive.check_way_back();
end;
$$;
