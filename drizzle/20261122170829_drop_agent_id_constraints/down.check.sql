-- Raises what would prevent a rollback from restoring the rows. This runs before a rollback begins, wherever it begins, and
-- again as part of undoing this migration.

do $$
begin
  if to_regprocedure('archive.assert_restorable()') is null then
    raise exception 'archive: the copies that a rollback needs are missing'
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'The archive was dropped. Only a backup has the rows now.';
  end if;
  perform archive.assert_restorable();
end;
$$;
