"""What a model or a person wrote is text: it runs nothing, loads nothing, and leaves its place.

The fixture `sign_in` fails a test when a page asks, calls another host, or breaks its policy.
"""

from django.templatetags.static import static
from playwright.sync_api import Page, expect

from chat.models import Conversation, Deployment
from tenants.models import Membership
from tests.e2e.conftest import SignIn
from tests.e2e.hostile import HARM, HOSTILE
from tests.e2e.pages import answers_of, ask_and_wait, log_of, rows_of, wait_for_answer
from tests.upstream import Reply, Upstream

WHOLE = "\n\n".join(HOSTILE)

# Feeds each text to the view of a live answer by characters, and looks after each drawing.
EVERY_PREFIX = """async ([address, texts]) => {
    const harmIn = HARM;
    const { MarkdownView } = await import(address);
    const later = window.setTimeout;
    window.setTimeout = (draw) => { draw(); return 0; };
    const found = [];
    for (const text of texts) {
        const element = document.createElement("div");
        document.querySelector("[role=log]").append(element);
        const view = new MarkdownView(element);
        for (const character of text) {
            view.append(character);
            for (const harm of harmIn(element)) found.push(`${harm} in ${view.source}`);
        }
        view.finish();
        for (const harm of harmIn(element)) found.push(`${harm} in the whole of ${text}`);
    }
    window.setTimeout = later;
    return found;
}""".replace("HARM", HARM)


def harm_in(page: Page) -> list[str]:
    """What in the answers is not what an answer is made of."""
    found = [answer.evaluate(HARM) for answer in page.locator("[data-markdown]").all()]
    return [each for harm in found for each in harm]


def test_an_answer_is_inert_while_it_streams_and_afterwards(page: Page, upstream: Upstream) -> None:
    upstream.always(Reply([WHOLE[at : at + 3] for at in range(0, len(WHOLE), 3)]))

    ask_and_wait(page, "Hello")
    assert harm_in(page) == []
    page.reload()
    expect(wait_for_answer(page).locator("[data-markdown].is-rendered")).to_be_visible()

    assert harm_in(page) == []
    expect(answers_of(page)).to_contain_text("<script>alert(1)</script>")


def test_text_that_is_cut_anywhere_is_inert(page: Page) -> None:
    address = static("chat/markdown/view.js")

    found = page.evaluate(EVERY_PREFIX, ["/" + address.lstrip("/"), HOSTILE])

    assert found == []


def test_what_a_person_writes_is_shown_as_it_is(page: Page, upstream: Upstream) -> None:
    ask_and_wait(page, WHOLE)

    bubble = log_of(page).locator(".bubble")
    expect(bubble).to_contain_text("</article></main><script>alert(1)</script>")
    assert bubble.locator("*").count() == 0
    page.reload()
    assert log_of(page).locator(".bubble").locator("*").count() == 0


def test_a_title_is_only_a_title(
    sign_in: SignIn, member: Membership, deployment: Deployment
) -> None:
    for number, text in enumerate(HOSTILE):
        Conversation.objects.create(
            tenant=member.tenant,
            owner=member.user,
            title=" ".join(text.split())[:200],
            deployment=deployment,
            request_id=f"00000000-0000-4000-8000-{number:012d}",
            active_at=member.created_at,
        )
    page = sign_in(member)
    expect(rows_of(page)).to_have_count(40)
    shown = Conversation.objects.get(title=HOSTILE[0])

    page.goto(f"/acme/c/{shown.pk}/")

    assert page.locator("[data-row] bdi *, [data-heading] bdi *").count() == 0
    expect(page).to_have_title(f"{HOSTILE[0]} · Atrium")
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE[0])
    page.get_by_role("button", name="Actions for this conversation").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text(HOSTILE[0])
    assert page.get_by_role("dialog").locator("script").count() == 0
