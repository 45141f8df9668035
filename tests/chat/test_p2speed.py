import time
from django.db import connection
import pytest
from chat.generation.claiming import claim_next, _NEXT
from tenants.models import Tenant, Membership
from tests.faults.test_fairness import crowd
from django.utils import timezone
SIMPLE = """
WITH running AS MATERIALIZED (
    SELECT tenant_id, user_id, count(*) AS answers FROM chat_generation
    WHERE status = 'running' GROUP BY tenant_id, user_id
), crowd AS (
    SELECT tenant.id, tenant.max_running_per_member, coalesce(sum(running.answers), 0) AS answers
    FROM tenants_tenant AS tenant LEFT JOIN running ON running.tenant_id = tenant.id
    WHERE tenant.status = 'active'
        AND tenant.id IN (SELECT tenant_id FROM chat_generation WHERE status = 'queued')
    GROUP BY tenant.id
    HAVING coalesce(sum(running.answers), 0) < tenant.max_running
)
SELECT first.id, crowd.id, first.asked_id, first.asked_id, false
FROM crowd CROSS JOIN LATERAL (
    SELECT waiting.id, waiting.queued_at, coalesce(waiting.stands_in_for_id, waiting.deployment_id) AS asked_id
    FROM chat_generation AS waiting
    WHERE waiting.tenant_id = crowd.id AND waiting.status = 'queued'
        AND (waiting.not_before IS NULL OR waiting.not_before <= %(now)s)
        AND crowd.max_running_per_member > coalesce((
            SELECT answers FROM running
            WHERE running.tenant_id = waiting.tenant_id AND running.user_id = waiting.user_id
        ), 0)
        AND EXISTS (
            SELECT FROM tenants_membership AS membership
            JOIN tenants_user AS person ON person.id = membership.user_id
            WHERE membership.tenant_id = waiting.tenant_id AND person.id = waiting.user_id
                AND membership.is_active AND person.is_active
        )
    ORDER BY waiting.queued_at, waiting.id LIMIT 1
) AS first
WHERE %(most)s > (SELECT coalesce(sum(answers), 0) FROM running)
ORDER BY crowd.answers, first.queued_at, first.id LIMIT 1
"""
@pytest.mark.django_db(transaction=True)
def test_speed(member, outsider, deployment):
    Tenant.objects.update(max_running=1000, max_running_per_member=1000)
    crowd(member, deployment, 200); crowd(outsider, deployment, 200)
    with connection.cursor() as c:
        c.execute("ANALYZE")
        for name, sql in (("full",_NEXT),("simple",SIMPLE),("one","SELECT count(*) FROM chat_generation WHERE status='running' and queued_at < %(now)s and attempt < %(most)s"),
           ("due", str(None))):
            if sql=="None": continue
            best=[]
            for _ in range(25):
                c.execute("EXPLAIN (ANALYZE, SUMMARY) "+sql, {"now": timezone.now(), "most": 1000})
                rows=[r[0] for r in c.fetchall()]
                best.append((float(rows[-2].split(":")[1][:-3]), float(rows[-1].split(":")[1][:-3])))
            print(name, "plan", min(b[0] for b in best), "exec", min(b[1] for b in best))
            t=time.perf_counter()
            ts=[]
            for _ in range(30):
                t=time.perf_counter(); c.execute(sql, {"now": timezone.now(), "most": 1000}); c.fetchall(); ts.append(time.perf_counter()-t)
            print(name, "client min ms", min(ts)*1000)
    ts=[]
    for _ in range(100):
        t=time.perf_counter(); assert claim_next(); ts.append(time.perf_counter()-t)
    ts.sort()
    print("claim min/median ms", ts[0]*1000, ts[50]*1000)
