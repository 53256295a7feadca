//! `.http` files, in the format that VS Code's REST Client and JetBrains' HTTP Client share. Sources: the
//! README and the parser of REST Client; the "HTTP Request in Editor" specification of JetBrains.

use std::sync::Arc;

use http::HeaderName;

use super::directive::Settings;
use super::line::Line;
use super::placeholder;
use super::request::{self, Request};
use crate::diagnostic::{Diagnostic, Diagnostics, Source, did_you_mean};

/// The requests of a file, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpFile {
    /// At least one.
    pub requests: Vec<Request>,
    /// What is probably not meant this way.
    pub warnings: Vec<Diagnostic>,
}

/// Reads a file; says everything that is wrong with it.
pub fn parse(source: &Arc<Source>) -> Result<HttpFile, Diagnostics> {
    let mut parser = Parser::default();
    let mut block = Block::default();
    for line in Line::all(source) {
        if let Some(rest) = line.text.strip_prefix("###") {
            let title = rest.trim_start_matches('#').trim();
            let next = Block { title: (!title.is_empty()).then_some(title), lines: Vec::new() };
            parser.block(std::mem::replace(&mut block, next));
        } else {
            block.lines.push(line);
        }
    }
    parser.block(block);
    let Parser { requests, warnings, mut problems, .. } = parser;
    if problems.is_empty() && requests.is_empty() {
        let help = "write one, such as `GET /`";
        problems.push(Diagnostic::error(&source.place(0..0), "the file holds no request").help(help));
    }
    if problems.is_empty() { Ok(HttpFile { requests, warnings }) } else { Err(problems) }
}

/// What stands between two `###`.
#[derive(Default)]
struct Block<'a> {
    title: Option<&'a str>,
    lines: Vec<Line<'a>>,
}

#[derive(Default)]
struct Parser {
    variables: Vec<(String, String)>,
    settings: Settings,
    requests: Vec<Request>,
    warnings: Vec<Diagnostic>,
    problems: Diagnostics,
}

impl Parser {
    fn block(&mut self, block: Block<'_>) {
        let mut lines = block.lines.iter().copied();
        let first = lines.by_ref().find(|line| !self.preamble(*line));
        let settings = self.settings.clone();
        self.settings = settings.next();
        let result = match (first, settings.waiting_for_request()) {
            (Some(first), _) => {
                self.request(block.title, first, lines, settings).map(|request| self.requests.push(request))
            }
            (None, Some(directive)) => {
                let last = block.lines.iter().rfind(|line| line.text.contains(directive));
                let error = |line: &Line<'_>| line.error(directive, format!("no request follows `{directive}`")).into();
                last.map(error).map_or(Ok(()), Err)
            }
            (None, None) => Ok(()),
        };
        self.problems.extend(result.err().map(|problem| *problem));
    }

    /// Takes a line above the request line; `false` when this is the request line itself.
    fn preamble(&mut self, line: Line<'_>) -> bool {
        let text = line.text.trim();
        let result = if let Some(comment) = comment(text) {
            if comment.starts_with('@') { self.settings.apply(line, comment) } else { Ok(()) }
        } else if text.starts_with('@') {
            self.define(line, text)
        } else {
            return text.is_empty();
        };
        self.problems.extend(result.err().map(|problem| *problem));
        true
    }

    /// `@host = http://localhost:6543`
    fn define(&mut self, line: Line<'_>, text: &str) -> Result<(), Box<Diagnostic>> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let name = name.trim_start_matches('@').trim();
        if name.is_empty() || name.contains(char::is_whitespace) || !text.contains('=') {
            return Err(line
                .error(text, "a variable is written `@name = value`")
                .help("a directive stands in a comment: `# @visitor bob`")
                .into());
        }
        let value = self.expand(line, value.trim())?;
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value));
        Ok(())
    }

    fn request<'a>(
        &mut self,
        title: Option<&str>,
        first: Line<'_>,
        rest: impl Iterator<Item = Line<'a>>,
        settings: Settings,
    ) -> Result<Request, Box<Diagnostic>> {
        let rest = self.without_comments(rest);
        let mut rest = rest.into_iter().peekable();

        let mut text = request::without_version(&self.expand(first, first.text.trim())?).to_owned();
        while let Some(line) = rest.next_if(|line| line.text.trim_start().starts_with(['?', '&'])) {
            text += request::without_version(&self.expand(line, line.text.trim())?);
        }
        let (method, url) = request::line(first, &text)?;

        let mut headers = Vec::new();
        while let Some(line) = rest.next_if(|line| !line.text.trim().is_empty()) {
            headers.push(request::header(line, &self.expand(line, line.text.trim())?)?);
        }

        let swallows = self.warnings.len();
        let body = self.body(rest.skip(1).collect(), content_type(&headers))?;
        let swallows = self.warnings.len() > swallows;
        let name = title.map(str::to_owned).or_else(|| settings.name.clone());
        let place = first.place("");
        if !(body.is_empty() || swallows) && content_type(&headers).is_empty() {
            self.warnings.push(
                Diagnostic::warning(&place, "this has a body and no Content-Type, so no form is read from it")
                    .help("for a form, write `Content-Type: application/x-www-form-urlencoded` below this line"),
            );
        }
        Ok(Request { name, place, method, url, headers, body, settings })
    }

    /// Both editors pass over comments in headers and bodies. A directive there would be passed over
    /// too, so it is refused: most likely a `###` is missing above it.
    fn without_comments<'a>(&mut self, lines: impl Iterator<Item = Line<'a>>) -> Vec<Line<'a>> {
        let mut kept = Vec::new();
        for line in lines {
            match comment(line.text.trim()) {
                None => kept.push(line),
                Some(text) if text.starts_with('@') => self.problems.push(
                    line.error(text, "a directive stands above its request line")
                        .help("put `###` above it if it belongs to the next request"),
                ),
                Some(_) => {}
            }
        }
        kept
    }

    fn body(&mut self, mut lines: Vec<Line<'_>>, content_type: &str) -> Result<String, Box<Diagnostic>> {
        while lines.pop_if(|line| line.text.trim().is_empty()).is_some() {}
        let mut body = String::new();
        let form = content_type.starts_with("application/x-www-form-urlencoded");
        let line_end = if content_type.starts_with("multipart/") { "\r\n" } else { "\n" };
        for (index, line) in lines.into_iter().enumerate() {
            refuse_files_and_scripts(line)?;
            let text = self.expand(line, line.text)?;
            if request::looks_like_request(&text) {
                let message = "this stands in the body of the request above";
                self.warnings.push(Diagnostic::warning(&line.place(""), message).help(request::APART));
            }
            let text = if form { text.trim() } else { &text };
            // A long form may be broken before or after its `&`.
            let joined = form && (text.starts_with('&') || body.ends_with('&'));
            if index > 0 && !joined {
                body += line_end;
            }
            body += text;
        }
        Ok(body)
    }

    fn expand(&self, line: Line<'_>, text: &str) -> Result<String, Box<Diagnostic>> {
        placeholder::fill(text, |name| {
            if name.starts_with('$') {
                return Ok(format!("{{{{{name}}}}}"));
            }
            let known = self.variables.iter().find(|(known, _)| known == name);
            known.map(|(_, value)| value.clone()).ok_or_else(|| {
                let known = self.variables.iter().map(|(known, _)| known.as_str());
                let help = did_you_mean(name, known).unwrap_or_else(|| format!("declare it: `@{name} = …`"));
                line.error(name, format!("no variable `{name}` above this line")).help(help).into()
            })
        })
    }
}

/// The text of a `#` or `//` comment.
fn comment(line: &str) -> Option<&str> {
    let text = line.strip_prefix("//").or_else(|| line.strip_prefix('#'))?;
    Some(text.trim_start_matches(['#', '/']).trim_start())
}

fn content_type(headers: &[(HeaderName, String)]) -> &str {
    let found = headers.iter().find(|(name, _)| name == http::header::CONTENT_TYPE);
    found.map_or("", |(_, value)| value)
}

fn refuse_files_and_scripts(line: Line<'_>) -> Result<(), Box<Diagnostic>> {
    let starts = |prefix: &str| line.text.starts_with(prefix);
    if starts("<> ") {
        Err(line.error("<>", "references to earlier responses are not read here").help("delete the line").into())
    } else if starts("> {%") || starts("< {%") {
        Err(line
            .error("{%", "scripts are not run here")
            .help("`{{$csrf-token}}` stands for the token the visitor was last shown")
            .into())
    } else if starts("< ") || starts("<@") {
        Err(line.error("", "a body is not read from a file here").help("write the body into this file").into())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use http::Method;
    use proptest::prelude::*;

    use super::*;
    use crate::diagnostic::{Place, print};

    fn read(source: &str) -> Result<HttpFile, Diagnostics> {
        parse(&Source::file("a.http", source))
    }

    fn requests(source: &str) -> Vec<Request> {
        read(source).unwrap().requests
    }

    fn line(place: &Place) -> usize {
        place.line_and_column().0
    }

    fn told(diagnostic: &Diagnostic) -> (usize, String) {
        (line(diagnostic.place.as_ref().unwrap()), diagnostic.message.clone())
    }

    fn messages(source: &str) -> Vec<(usize, String)> {
        read(source).unwrap_err().sorted().into_iter().map(told).collect()
    }

    fn warnings(source: &str) -> Vec<(usize, String)> {
        read(source).unwrap().warnings.iter().map(told).collect()
    }

    fn form(body: &str) -> String {
        let source = format!("POST /\nContent-Type: application/x-www-form-urlencoded\n\n{body}");
        requests(&source).remove(0).body
    }

    #[test]
    fn a_file_in_the_shared_format_is_read_whole() {
        let source = "\u{feff}\
# A comment
@host = http://localhost:6543
@user=bob

### Log in
// another comment
# @visitor bob
POST {{host}}/login HTTP/1.1
  ?from=home
  &lang=en
Content-Type: application/json
# a comment among headers
X-User: {{ user }}

{
  // a comment in the body
  \"user\": \"{{user}}\"
}

###
# @name second
# @at +30m
{{host}}/howdy

####

### Third
DELETE /x
";
        let found = requests(source);
        let [login, second, third] = &found[..] else { panic!("{found:#?}") };
        assert_eq!((login.name.as_deref(), line(&login.place)), (Some("Log in"), 8));
        assert_eq!(login.method, Method::POST);
        assert_eq!(login.url.authority.as_deref(), Some("localhost:6543"));
        assert_eq!(login.url.target, "/login?from=home&lang=en");
        let headers: Vec<_> = login.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(headers, [("content-type", "application/json"), ("x-user", "bob")]);
        assert_eq!(login.body, "{\n  \"user\": \"bob\"\n}");
        assert_eq!(login.settings.visitor, "bob");

        assert_eq!((second.name.as_deref(), &second.method), (Some("second"), &Method::GET));
        assert_eq!(second.settings.visitor, "bob");
        assert_eq!(second.settings.now, login.settings.now + 1800.0);
        assert_eq!((third.title(), third.settings.now), ("Third".into(), second.settings.now));
    }

    #[test]
    fn windows_line_endings_make_no_difference() {
        let source = "### a\nPOST /x\nA: b\n\nbody\nmore\n";
        let windows = requests(&source.replace('\n', "\r\n"));
        let anywhere = |request: Request| Request { place: Source::file("", "").place(0..0), ..request };
        let [windows, unix] = [windows, requests(source)].map(|all| all.into_iter().map(anywhere).collect::<Vec<_>>());
        assert_eq!(windows, unix);
    }

    #[test]
    fn a_request_without_a_name_is_called_by_its_line() {
        assert_eq!(requests("/x?y")[0].title(), "GET /x?y");
    }

    #[test]
    fn a_body_may_follow_the_request_line_and_ends_before_trailing_blank_lines() {
        let found = requests("POST /x\n\n\na\n\nb\n\n  \n### next\n/y");
        assert_eq!((found[0].body.as_str(), found[1].body.as_str()), ("\na\n\nb", ""));
    }

    #[test]
    fn a_long_form_may_be_broken_at_its_ampersands() {
        for body in ["a=1&b=2", "a=1\n&b=2", "a=1&\nb=2", "  a=1\n  &b=2"] {
            assert_eq!(form(body), "a=1&b=2", "{body:?}");
        }
        assert_eq!(form("a=1\nb=2"), "a=1\nb=2");
    }

    #[test]
    fn multipart_lines_end_as_mime_says() {
        let source = "POST /\nContent-Type: multipart/form-data; boundary=x\n\n--x\n\nv\n--x--";
        assert_eq!(requests(source)[0].body, "--x\r\n\r\nv\r\n--x--");
    }

    #[test]
    fn variables_may_use_those_above_and_the_last_one_counts() {
        let source = "@a = 1\n@b = {{a}}2\n@a = 3\nGET /{{b}}/{{a}}/{{$token}}";
        assert_eq!(requests(source)[0].url.target, "/12/3/{{$token}}");
    }

    #[test]
    fn every_problem_is_told_at_once_with_its_line() {
        let source =
            "# @vistor bob\n@broken\nGET {{hots}}/\n###\n@host = x\nGTE /\n###\nGET /\nno header\n###\n# @tamper";
        assert_eq!(
            messages(source),
            [
                (1, "unknown directive `@vistor`".into()),
                (2, "a variable is written `@name = value`".into()),
                (3, "no variable `hots` above this line".into()),
                (6, "`GTE` is neither a method nor a URL".into()),
                (9, "a header is written `Name: value`".into()),
                (11, "no request follows `@tamper`".into()),
            ]
        );
    }

    #[test]
    fn an_unknown_variable_is_met_with_the_nearest_name() {
        let problems = read("@host = x\n@user = y\nGET http://{{hots}}/").unwrap_err();
        let [problem] = problems.sorted()[..] else { panic!("{problems:?}") };
        assert_eq!(problem.help, ["did you mean `host`?"]);
        assert_eq!(problem.place.as_ref().unwrap().to_string(), "a.http:3:14");
    }

    #[test]
    fn a_directive_below_the_request_line_is_refused() {
        let (line, message) = messages("GET /\n# @at +1m\n").remove(0);
        assert_eq!((line, message.as_str()), (2, "a directive stands above its request line"));
    }

    #[test]
    fn files_scripts_and_references_are_refused() {
        for (body, message) in [
            ("< ./input.json", "a body is not read from a file here"),
            ("<@latin1 ./input.json", "a body is not read from a file here"),
            ("> {% client.log() %}", "scripts are not run here"),
            ("<> previous.json", "references to earlier responses are not read here"),
        ] {
            assert_eq!(messages(&format!("POST /\n\n{body}")), [(3, message.into())]);
        }
        assert_eq!(requests("POST /\n\n<p>x</p>")[0].body, "<p>x</p>");
    }

    #[test]
    fn a_request_without_a_mark_above_it_is_found() {
        let among_headers = read("GET http://a/\nGET http://b/\n").unwrap_err();
        let [problem] = among_headers.sorted()[..] else { panic!("{among_headers:?}") };
        assert_eq!(told(problem), (2, "this is a request, and it stands among the headers of another".into()));
        assert_eq!(problem.help, [request::APART]);
        let in_body = "@host = http://a\nGET {{host}}/\n\nGET {{host}}/b\n";
        assert_eq!(warnings(in_body), [(4, "this stands in the body of the request above".into())]);
    }

    #[test]
    fn a_body_whose_type_nobody_says_is_worth_a_warning() {
        let told = warnings("### a\nPOST /x\nX-A: b\n\na=1\n");
        assert_eq!(told, [(2, "this has a body and no Content-Type, so no form is read from it".into())]);
        for fine in ["POST /x\n", "POST /x\nContent-Type: text/plain\n\na=1\n", "GET /\n###\nGET /\n"] {
            assert_eq!(warnings(fine), [], "{fine}");
        }
    }

    #[test]
    fn a_file_without_a_request_is_a_problem() {
        assert_eq!(messages("# nothing\n###\n"), [(1, "the file holds no request".into())]);
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(source in any::<String>()) {
            let _ = read(&source);
        }

        #[test]
        fn lines_of_the_format_in_any_order_never_panic(lines in prop::collection::vec(prop::sample::select(vec![
            "###", "### name", "# @at +1m", "# @at 9", "# @tamper -1", "# @parallel 2", "// c", "# @", "@a = {{a}}", "@",
            "GET /", "/{{$x}}", "POST http://h/ HTTP/1.1", "  ?a=b", "&c", "A: b", ":", "", "  ", "< f", "{{", "é {{ü}}",
        ]), 0..12), end in prop::sample::select(vec!["\n", "\r\n"])) {
            if let Err(problems) = read(&lines.join(end)) {
                prop_assert!(print::to_text(&problems, false).starts_with("error: "));
            }
        }
    }
}
