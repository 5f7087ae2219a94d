using System.ComponentModel.DataAnnotations;

namespace StickyWs.Configuration;

/// <summary>The one form of every configuration error: key, value, remedy.</summary>
internal static class OptionsError
{
    public static string Of(string key, string? value, string remedy)
        => value is null ? $"{key} is not set: {remedy}." : $"{key} is '{value}': {remedy}.";

    public static string OutOfRange(ValidationContext context, string value, string minimum, string maximum)
        => Of(KeyOf(context), value, $"use a value from {minimum} to {maximum}");

    // The generated validators call a member "<name given to Validate>.<member>"; a configuration key has a colon there.
    private static string KeyOf(ValidationContext context)
    {
        var dot = context.DisplayName.LastIndexOf('.');
        return dot < 0 ? context.DisplayName : string.Concat(context.DisplayName.AsSpan(0, dot), ":", context.DisplayName.AsSpan(dot + 1));
    }
}
