from io import BytesIO
import pytest
from PIL import Image, ImageDraw
from chat.models import *
from tenants import logos
from tenants.models import *
from tenants.services import create_member
from tests.portal.two_tenants import fill
OUT="/tmp/w/admin/shots/"
def logo():
    im=Image.new("RGBA",(300,120),(0,0,0,0)); d=ImageDraw.Draw(im); d.rounded_rectangle((10,10,110,110),20,fill=(30,60,140)); d.text((130,40),"ACME GmbH",fill=(10,10,10),font_size=30)
    f=BytesIO(); im.save(f,"PNG"); f.seek(0); return f
@pytest.fixture(params=["light","dark","phone"])
def look(request):
    return {"light":dict(color_scheme="light",viewport={"width":1360,"height":900}),"dark":dict(color_scheme="dark",viewport={"width":1360,"height":900}),"phone":dict(color_scheme="light",viewport={"width":390,"height":844})}[request.param]|{"name":request.param}
def test_shots(sign_in, look, tenant, owner, deployment, outsider):
    name=look.pop("name")
    T=owner.tenant
    T.accent_colour="#b3361f"; T.notice="Nothing that names a customer."; T.default_system_prompt="You work for Acme. Answer shortly."; T.save()
    logos.keep(T, logos.remade(logo()))
    large=Deployment.objects.create(name="large",label="Large model",purpose="Hard questions",kind="azure",model="gpt-large",context_window=8192)
    DeploymentGrant.objects.create(tenant=T,deployment=large)
    for i,t in enumerate(["Letter to a customer","Minutes of a meeting","Translate into German","Check a contract"]):
        LibraryPrompt.objects.create(tenant=T,title=t,text=f"{t}: write about [what] in a friendly way, with three points and a short end.",position=i)
    mona=create_member(tenant=T,email="mona@example.org",role="manager",name="Mona Manager")
    fill("globex2","Globex 2")
    ada=User.objects.create_superuser("ada@example.org","x",name="Ada")
    adam=create_member(tenant=outsider.tenant,email="ada@example.org",role="member")
    pages={"start":"/admin/","tenant":f"/admin/tenants/tenant/{T.pk}/change/","prompts":"/admin/chat/libraryprompt/","prompt":"/admin/chat/libraryprompt/add/","gens":"/admin/chat/generation/","usage":"/admin/chat/usageentry/","tenants":"/admin/tenants/tenant/"}
    gen=Generation.objects.first()
    if gen: pages["gen"]=f"/admin/chat/generation/{gen.pk}/change/"
    for who,m in {"manager":mona,"owner":owner,"admin":adam}.items():
        page=sign_in(m,**look)
        if who!="admin":
            page.screenshot(path=f"{OUT}{name}-{who}-new.png")
        for p,u in pages.items():
            if name!="light" and p not in ("start","tenant","prompts"): continue
            page.goto(u); page.wait_for_load_state("networkidle")
            page.screenshot(path=f"{OUT}{name}-{who}-{p}.png",full_page=p!="start")
            if p=="tenant":
                page.get_by_role("link",name="Models").or_(page.get_by_text("Models",exact=True)).first.click(); page.wait_for_timeout(300)
                page.screenshot(path=f"{OUT}{name}-{who}-models.png")
        page.close()
