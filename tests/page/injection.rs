//! Script injection: hostile texts from people and from a server must stay text.

use crate::browser::Browser;
use crate::harness::start_server;
use crate::page_actions::file_page;
use crate::support::fake_server::FakeServer;
use crate::tab::Tab;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The code that an attack tries to run.
const CODE: &str = "window.caught=1;alert(1)";

/// Attacks by HTML, by URL, and on the page's own markup; `@` stands for the code.
const ATTACKS: [&str; 40] = [
    "<script>@</script>",
    "<ScRiPt src=data:text/javascript,@></sCrIpT>",
    "<img src=x onerror=@>",
    "<img/src='x'/onerror='@'/>",
    "<svg onload=@>",
    "<svg><script>@</script></svg>",
    "<svg><animate onbegin=@ attributeName=x dur=1s>",
    "<iframe srcdoc='<script>parent.@</script>'></iframe>",
    "<iframe src=javascript:@></iframe>",
    "<object data=javascript:@></object>",
    "<embed src=javascript:@>",
    "<body onload=@>",
    "<details open ontoggle=@>x</details>",
    "<input autofocus onfocus=@>",
    "<video><source onerror=@></video>",
    "<style>@import 'x';*{display:none}</style>",
    "<link rel=stylesheet href=data:text/css,*{display:none}>",
    "<base href=https://mau.exemplo/>",
    "<meta http-equiv=refresh content='0;url=https://mau.exemplo/'>",
    "<form action=javascript:@><button>x</button></form>",
    "<math><mtext><mglyph><style><img src=x onerror=@>",
    "<template><img src=x onerror=@></template>",
    "<noscript><p title='</noscript><img src=x onerror=@>'>",
    "</p></article></div><img src=x onerror=@>",
    "--><img src=x onerror=@><!--",
    "]]><img src=x onerror=@>",
    "&lt;img src=x onerror=@&gt;",
    "&#x3c;img src=x onerror=@&#x3e;",
    "javascript:@",
    "JaVaScRiPt://%0a@",
    "data:text/html,<script>@</script>",
    "vbscript:@ file:///etc/passwd blob:x view-source:x",
    "https://a.exemplo/\"onmouseover=\"@",
    "https://a.exemplo/'><img src=x onerror=@>",
    "http://javascript:@@a.exemplo/",
    "[texto](javascript:@) ![](x\" onerror=\"@)",
    "```html\n<img src=x onerror=@>\n```",
    "**<img src=x onerror=@>** *~~<svg onload=@>~~*",
    "`<img src=x onerror=@>` @Ana<img src=x onerror=@>",
    "#sala<img src=x onerror=@> {{constructor.constructor('@')()}} ${@}",
];

/// Text around an attack; 5 wrappings of 40 attacks make 200 messages.
const WRAPPINGS: [(&str, &str); 5] = [
    ("", ""),
    ("oi ", " tudo bem?"),
    ("**", "**"),
    ("`", "`"),
    ("\"'>", "<'\"\n<img src=x onerror=window.caught=2>"),
];

fn payloads() -> Vec<String> {
    let wrap = |(before, after): (&str, &str), attack: &str| {
        format!("{before}{}{after}", attack.replace('@', CODE))
    };
    WRAPPINGS
        .iter()
        .flat_map(|wrapping| ATTACKS.iter().map(move |attack| wrap(*wrapping, attack)))
        .collect()
}

/// The only elements allowed in the conversation, the people and the rooms.
const TAGS: &str =
    "['DIV','ARTICLE','H2','H3','P','SPAN','TIME','UL','OL','LI','A','BUTTON','STRONG','EM','S','DEL','B','I',
    'CODE','PRE','BR','MARK','BDI','SECTION','HEADER','FOOTER']";

/// Asserts that no code ran, only allowed elements exist, and every link leads to its own text.
fn assert_clean(tab: &Tab) {
    assert_eq!(tab.eval("window.caught"), Value::Null);
    let strange = format!(
        "Array.from(document.querySelectorAll('[role=log] *, #pessoas *, #salas *, #estado *, #aviso *, [role=alert] *'))
            .filter((node) => !{TAGS}.includes(node.tagName)
                || Array.from(node.attributes).some(({{ name }}) => name.startsWith('on') || name === 'style'))
            .map((node) => node.outerHTML)"
    );
    assert_eq!(tab.eval(&strange), json!([]));
    let links = "Array.from(document.querySelectorAll('[role=log] a'))
        .filter((link) => !['http:', 'https:'].includes(link.protocol) || !/noopener/.test(link.rel)
            || new URL(link.innerText).href !== link.href)
        .filter((link) => !(link.getAttribute('href') || '').startsWith('#'))
        .map((link) => link.outerHTML)";
    assert_eq!(tab.eval(links), json!([]));
    let foreign = "Array.from(document.querySelectorAll('script, link[rel~=stylesheet], iframe, base, object, embed'))
        .filter((node) => (node.src || node.href) && new URL(node.src || node.href).protocol !== location.protocol)
        .concat(...document.querySelectorAll('iframe, base, object, embed')).map((node) => node.outerHTML)";
    assert_eq!(tab.eval(foreign), json!([]));
    tab.assert_healthy();
}

#[test]
#[ignore = "needs chromium"]
fn hostile_messages_run_no_code() {
    let server = start_server();
    let browser = Browser::start();
    let ana = browser.profile().opens(&server.url());
    ana.enters("Ana");
    let mut eve = server.enter("Eve");
    let payloads = payloads();
    assert_eq!(payloads.len(), 200);
    for (n, payload) in payloads.iter().enumerate() {
        eve.say_acked(&format!("{payload}\n{n} fim"));
        if n % 5 == 0 {
            eve.send(json!({"type": "whisper", "to": "Ana", "id": format!("w{n}"), "text": format!("{payload} w{n}")}));
        }
    }
    ana.wait_until(
        "texts().filter((text) => / fim$/.test(text)).length === 200 && texts().some((text) => / w195$/.test(text))",
    );
    assert_clean(&ana);
    // They are shown as they were written.
    ana.sees("<img src=x onerror=window.caught=1;alert(1)>");
    // Own messages, drafts and messages after a reload are harmless too.
    for payload in &payloads[..10] {
        ana.says(payload.lines().next().unwrap());
    }
    ana.types_draft("<img src=x onerror=alert(1)>");
    ana.reloads();
    ana.comes_back("Ana");
    ana.wait_until("texts().length > 40");
    assert_clean(&ana);
    ana.finish("hostile");
}

/// A hostile server: every string that it sends is an attack.
fn serve_attacks(fake_server: &FakeServer) {
    let payloads = payloads();
    let member = |n: usize| json!({"name": payloads[n], "tag": payloads[n + 1]});
    let members: Vec<Value> = (0..20).map(member).collect();
    let entry = |seq: usize| {
        json!({"type": "message", "room": "geral", "seq": seq, "at": 1_772_557_500_000_u64 + seq as u64,
            "from": payloads[seq], "tag": payloads[seq], "text": payloads[seq], "action": seq.is_multiple_of(3)})
    };
    let entries: Vec<Value> = (1..50).map(entry).collect();
    let joined = json!({"epoch": payloads[0], "seq": 49, "online": 2, "members": members, "entries": entries});
    let mut server = fake_server.accept(joined);
    for (n, payload) in payloads.iter().enumerate().take(40) {
        server.send(json!({"type": "presence", "room": "geral", "online": payload, "joined": [member(n)],
            "left": [member(n + 9)], "renamed": [{"from": payload, "to": payloads[n + 1], "tag": payload}]}));
        server.send(json!({"type": "typing", "room": "geral", "name": payload}));
        server.send(json!({"type": "whisper", "from": payload, "tag": payload, "to": "Ana", "at": 1, "text": payload}));
        server.send(json!({"type": "error", "code": payload, "text": payload, "id": payload}));
        server.send(
            json!({"type": "rooms", "rooms": [{"room": payload, "online": payload, "seq": 1}]}),
        );
        server.send(json!({"type": "joined", "room": payload, "epoch": "e", "seq": 0, "oldest": 1, "online": 1,
            "members": [], "entries": [], "more": false, "reset": false}));
        server.send(json!({"type": "found", "room": "geral", "query": payload, "entries": [entry(n + 1)], "more": false}),
        );
    }
    server.send(entry(50));
    server.send(json!({"type": "message", "room": "geral", "seq": 51, "at": 1_772_557_600_000_u64, "from": "Eve",
        "tag": "e", "text": "acabou"}));
    while server.receive("nothing").is_some() {}
}

#[test]
#[ignore = "needs chromium"]
fn hostile_server_runs_no_code() {
    let folder = TempDir::new().unwrap();
    let browser = Browser::start();
    let fake_server = FakeServer::listen();
    let address = fake_server.address;
    let serving = std::thread::spawn(move || serve_attacks(&fake_server));
    let ana = browser
        .profile()
        .opens(&format!("{}#{address}", file_page(&folder)));
    ana.clicks("#nome");
    ana.types("Ana");
    ana.presses("Enter");
    ana.sees("acabou");
    assert_clean(&ana);
    ana.screenshot("hostile-server");
    drop(browser);
    serving.join().unwrap();
}
