"""Migration operations that keep the rows of tenants apart in the database itself.

Row-level security is forced, so it binds the owner of the table too. `tenants/scope.py` sets what
the policies read. What a foreign key points to is looked up past all policies by PostgreSQL, so a
reference carries the tenant with it.
"""

from django.db.migrations.operations import RunSQL

# Evaluated once for each statement, not for each row. Of `IS NOT NULL` the planner expects that it
# holds, of `= 'on'` that it is rare: then it would plan for single rows wherever a policy is a
# second look at what the statement itself has chosen, and join in loops.
_TENANTS = "(SELECT string_to_array(current_setting('atrium.tenants', true), ',')::uuid[])::uuid[]"
_IS_PLATFORM = "(SELECT 1 WHERE current_setting('atrium.platform', true) = 'on') IS NOT NULL"

_FUNCTION = "atrium_require_scope"


def require_scope() -> RunSQL:
    """The function that refuses a statement which writes without a scope; `isolated` uses it.

    Without it an UPDATE or DELETE would find no row and say nothing.
    """
    return RunSQL(
        sql=f"""
        CREATE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF coalesce(current_setting('atrium.tenants', true), '') = ''
                AND current_setting('atrium.platform', true) IS DISTINCT FROM 'on' THEN
                RAISE EXCEPTION '% of % without a scope', TG_OP, TG_TABLE_NAME
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NULL;
        END $$;
        """,
        reverse_sql=f"DROP FUNCTION {_FUNCTION}();",
    )


def isolated(table: str, *, column: str = "tenant_id") -> RunSQL:
    """Confine reading and writing of this table to the tenants of the current scope.

    `column` holds the tenant's id; rows where it is null are the platform's own.
    """
    allowed = f"{_IS_PLATFORM} OR {column} = ANY ({_TENANTS})"
    return RunSQL(
        sql=f"""
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY {table}_in_scope ON {table} USING ({allowed}) WITH CHECK ({allowed});
        CREATE TRIGGER {table}_needs_scope BEFORE INSERT OR UPDATE OR DELETE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}();
        """,
        reverse_sql=f"""
        DROP TRIGGER {table}_needs_scope ON {table};
        DROP POLICY {table}_in_scope ON {table};
        ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
        """,
    )


def referable(table: str) -> RunSQL:
    """Let rows of this table be named together with their tenant, by `same_tenant`."""
    return RunSQL(
        sql=f"ALTER TABLE {table} ADD CONSTRAINT {table}_of_tenant UNIQUE (id, tenant_id);",
        reverse_sql=f"ALTER TABLE {table} DROP CONSTRAINT {table}_of_tenant;",
    )


def same_tenant(table: str, column: str, target: str) -> RunSQL:
    """A foreign key from `column` to `target`'s id that cannot cross to another tenant.

    Takes the place of Django's own, which the model's field does without (`db_constraint=False`).
    """
    name = f"{table}_{column}_same_tenant"
    return RunSQL(
        sql=f"""
        ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({column}, tenant_id)
            REFERENCES {target} (id, tenant_id) DEFERRABLE INITIALLY DEFERRED;
        """,
        reverse_sql=f"ALTER TABLE {table} DROP CONSTRAINT {name};",
    )
