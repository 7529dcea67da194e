import ts from "typescript";

/**
 * Browsers translate a page by putting each of its texts into a new element. A text that has its parent to itself survives that: React
 * sets the parent's whole content. Beside a sibling, React goes on with the text node that is no longer there: an insertion before it
 * throws, and a change of it is never seen. So no text has siblings. White space alone is not translated.
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
    const isText = (child) => {
      if (child.type === "JSXText") return true;
      if (child.type !== "JSXExpressionContainer") return false;
      if (child.expression.type === "Literal") return !isBlank(child.expression.value);
      const type = services.getTypeAtLocation(child.expression);
      return parts(type).some((part) => (part.flags & (ts.TypeFlags.StringLike | ts.TypeFlags.NumberLike)) !== 0);
    };
    const check = ({ children }) => {
      const shown = children.filter((child) => !isNothing(child));
      if (shown.length < 2) return;
      for (const child of shown) if (isText(child)) context.report({ node: child, messageId: "beside" });
    };
    return { JSXElement: check, JSXFragment: check };
  },
};

/** The parts of a union, but not of ReactNode: what a component passes on is looked at where it is made. */
function parts(type) {
  if (!type.isUnion()) return [type];
  return type.aliasSymbol?.name === "ReactNode" ? [] : type.types;
}

function isNothing(child) {
  if (child.type === "JSXText") return isBlank(child.value);
  if (child.type !== "JSXExpressionContainer") return false;
  const { expression } = child;
  return expression.type === "JSXEmptyExpression" || (expression.type === "Literal" && isBlank(expression.value));
}

function isBlank(text) {
  return typeof text === "string" && text.trim() === "";
}
