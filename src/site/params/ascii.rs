//! What `\d` and `\w` mean in a `pattern`: what they mean in the `pattern` of an `<input>`, ASCII alone.

use regex_syntax::ast::{self, Ast, ClassPerl, ClassPerlKind, ClassSetItem};

/// The regular expression with its `\d` and `\w` written out. What cannot be parsed stays as it is.
pub fn with_ascii_classes(text: &str) -> String {
    let Ok(parsed) = ast::parse::Parser::new().parse(text) else { return text.to_owned() };
    let mut classes = ast::visit(&parsed, Classes::default()).unwrap_or_default();
    classes.sort_by_key(|class| class.span.start.offset);
    let mut written = String::new();
    let mut end = 0;
    for ClassPerl { span, kind, negated } in classes {
        let class = match (kind, negated) {
            (ClassPerlKind::Digit, false) => "[0-9]",
            (ClassPerlKind::Digit, true) => "[^0-9]",
            (ClassPerlKind::Word, false) => "[0-9A-Za-z_]",
            (ClassPerlKind::Word, true) => "[^0-9A-Za-z_]",
            // Blanks are those of every script in browsers, too.
            (ClassPerlKind::Space, _) => continue,
        };
        written += text.get(end..span.start.offset).unwrap_or_default();
        written += class;
        end = span.end.offset;
    }
    written + text.get(end..).unwrap_or_default()
}

#[derive(Default)]
struct Classes(Vec<ClassPerl>);

impl ast::Visitor for Classes {
    type Output = Vec<ClassPerl>;
    type Err = ();

    fn finish(self) -> Result<Self::Output, ()> {
        Ok(self.0)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), ()> {
        if let Ast::ClassPerl(class) = ast {
            self.0.push((**class).clone());
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), ()> {
        if let ClassSetItem::Perl(class) = item {
            self.0.push(class.clone());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_classes_are_written_out() {
        for (text, ascii) in [
            (r"\d{4}-\D", "[0-9]{4}-[^0-9]"),
            (r"[\w.-]+@[^\d\W]é\d", "[[0-9A-Za-z_].-]+@[^[0-9][^0-9A-Za-z_]]é[0-9]"),
            (r"\\d\s\.(a|(?P<x>\d))", r"\\d\s\.(a|(?P<x>[0-9]))"),
            ("", ""),
            (r"\d(", r"\d("),
        ] {
            assert_eq!(with_ascii_classes(text), ascii, "{text}");
        }
    }
}
