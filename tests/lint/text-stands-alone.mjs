import ts from "typescript";

/**
 * Browsers translate a page by putting each of its texts into a new element. A text that has its parent to itself survives that: React
 * sets the parent's whole content. Beside a sibling, React goes on with the text node that is no longer there: an insertion before it
 * throws, and a change of it is never seen; what the server rendered is thrown away as not fitting. So no text has siblings, not even a
 * space. A text that a component or a fragment hands on is no element's whole content either. White space alone is not translated.
 */
export const textStandsAlone = {
  meta: {
    type: "problem",
    schema: [],
    messages: {
      beside:
        "Put this text into an element of its own: beside siblings it breaks when the browser translates the page.",
    },
  },
  create(context) {
    const services = context.sourceCode.parserServices;
    const isString = (node) =>
      parts(services.getTypeAtLocation(node)).some(
        (part) => (part.flags & (ts.TypeFlags.StringLike | ts.TypeFlags.NumberLike)) !== 0,
      );
    const isText = (child) => {
      if (child.type === "JSXText") return true;
      if (child.type !== "JSXExpressionContainer") return false;
      if (child.expression.type === "Literal") return !isBlank(child.expression.value);
      return isString(child.expression);
    };
    const check = ({ type, children }) => {
      const shown = children.filter((child) => !isNothing(child));
      if (type === "JSXElement" && shown.length < 2) return;
      for (const child of shown)
        if (!isSpace(child) && isText(child)) context.report({ node: child, messageId: "beside" });
    };
    const checkReturn = ({ argument }) => {
      if (argument && isString(argument)) context.report({ node: argument, messageId: "beside" });
    };
    return {
      JSXElement: check,
      JSXFragment: check,
      "FunctionDeclaration[id.name=/^[A-Z]/] > BlockStatement ReturnStatement": checkReturn,
    };
  },
};

/** The parts of a union, but not of ReactNode: what a component passes on is looked at where it is made. */
function parts(type) {
  if (!type.isUnion()) return [type];
  return type.aliasSymbol?.name === "ReactNode" ? [] : type.types;
}

/** JSX drops white space with a line break in it. */
function isNothing(child) {
  if (child.type === "JSXText") return isBlank(child.value) && child.value.includes("\n");
  return child.type === "JSXExpressionContainer" && child.expression.type === "JSXEmptyExpression";
}

function isSpace(child) {
  if (child.type === "JSXText") return isBlank(child.value);
  return (
    child.type === "JSXExpressionContainer" && child.expression.type === "Literal" && isBlank(child.expression.value)
  );
}

function isBlank(text) {
  return typeof text === "string" && text.trim() === "";
}
