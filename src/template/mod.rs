//! Templates and the small language inside strings, on top of Handlebars.
//!
//! Text goes into a [`library::Library`], which parses it, resolves names to full ones and reports
//! what is wrong; [`render::Templates`] renders. [`expression`] is what strings in actions and
//! responses mean, and [`writing`] is where they come in.

mod advice;
pub mod blocks;
pub mod comparisons;
mod computed;
mod controls;
mod csrf_field;
mod dates;
pub mod escape;
pub mod expression;
pub mod forms;
pub mod helpers;
mod home;
mod inclusion;
mod inspect;
mod interpolation;
mod json;
pub mod library;
pub mod links;
mod markdown;
pub mod names;
mod numbers;
mod operators;
mod places;
mod qualify;
mod registry;
pub mod render;
mod surroundings;
mod syntax;
pub mod urls;
pub mod values;
pub mod walk;
pub mod writing;
