using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace StickyWs.Configuration;

/// <summary>Bounds a <see cref="TimeSpan"/>; its message names key, value and remedy.</summary>
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
