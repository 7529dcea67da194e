import { useId } from "react";

interface ChoiceGroupProps<Value extends string> {
  legend: string;
  choices: readonly Value[];
  labels: Record<Value, string>;
  value: Value;
  onChange: (value: Value) => void;
  isDisabled: boolean;
  /** Where the focus goes when a dialog opens. */
  autoFocus?: boolean;
}

/** A choice of one among a few, as a row of segments. They are native radio buttons, so arrow keys and screen readers work. */
export function ChoiceGroup<Value extends string>(props: ChoiceGroupProps<Value>) {
  const { legend, choices, labels, value, onChange, isDisabled, autoFocus = false } = props;
  const name = useId();
  return (
    <fieldset disabled={isDisabled} className="min-w-0">
      <legend className="mb-1.5 text-[0.8125rem] font-medium">{legend}</legend>
      <div className="flex rounded-md border border-input bg-card p-0.5 shadow-xs">
        {choices.map((choice) => (
          <label
            key={choice}
            className="flex h-8 flex-1 cursor-pointer items-center justify-center rounded-sm px-2 text-[0.8125rem] whitespace-nowrap text-muted-foreground transition-colors hover:text-foreground has-checked:bg-primary has-checked:font-medium has-checked:text-primary-foreground has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-ring"
          >
            <input
              type="radio"
              className="sr-only"
              name={name}
              value={choice}
              checked={choice === value}
              autoFocus={autoFocus && choice === value}
              onChange={() => onChange(choice)}
            />
            {labels[choice]}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
