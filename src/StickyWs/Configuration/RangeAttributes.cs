using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace StickyWs.Configuration;

/// <summary>Bounds a number; <see langword="null"/> means "not set". The message names key, value and remedy.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class NumberRangeAttribute(double minimum, double maximum) : ValidationAttribute
{
    public double Minimum { get; } = minimum;

    public double Maximum { get; } = maximum;

    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext)
    {
        if (value is null) return ValidationResult.Success;
        var number = Convert.ToDouble(value, CultureInfo.InvariantCulture);
        return number >= Minimum && number <= Maximum
            ? ValidationResult.Success
            : new ValidationResult(OptionsError.OutOfRange(validationContext, Text(number), Text(Minimum), Text(Maximum)));
    }

    private static string Text(double number) => number.ToString("0.############", CultureInfo.InvariantCulture);
}

/// <summary>Bounds a <see cref="TimeSpan"/>. The message names key, value and remedy.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class TimeRangeAttribute(string minimum, string maximum) : ValidationAttribute
{
    public string Minimum { get; } = minimum;

    public string Maximum { get; } = maximum;

    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext)
        => value is not TimeSpan time || (time >= Parse(Minimum) && time <= Parse(Maximum))
            ? ValidationResult.Success
            : new ValidationResult(OptionsError.OutOfRange(validationContext, time.ToString("c", CultureInfo.InvariantCulture), Minimum, Maximum));

    private static TimeSpan Parse(string text) => TimeSpan.Parse(text, CultureInfo.InvariantCulture);
}
