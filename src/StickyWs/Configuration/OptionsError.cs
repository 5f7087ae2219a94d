using System.ComponentModel.DataAnnotations;

namespace StickyWs.Configuration;

/// <summary>The common form of all configuration errors: key, value, remedy.</summary>
internal static class OptionsError
{
    private const string NotSet = " is not set: ";

    public static string Of(string key, string? value, string remedy)
        => value is null ? $"{key}{NotSet}{remedy}." : $"{key} is '{value}': {remedy}.";

    /// <summary>The key of an error that reports a missing value, otherwise <see langword="null"/>.</summary>
    public static string? MissingKey(string error) => error.IndexOf(NotSet, StringComparison.Ordinal) is >= 0 and var end ? error[..end] : null;

    public static string OutOfRange(ValidationContext context, string value, string minimum, string maximum)
        => Of(KeyOf(context), value, $"use a value from {minimum} to {maximum}");

    // The generated validators call a member "<name given to Validate>.<member>"; a configuration key has a colon there.
    private static string KeyOf(ValidationContext context)
    {
        var dot = context.DisplayName.LastIndexOf('.');
        return dot < 0 ? context.DisplayName : string.Concat(context.DisplayName.AsSpan(0, dot), ":", context.DisplayName.AsSpan(dot + 1));
    }
}
