namespace StickyWs.Redis;

/// <summary>Formats a configuration error like the balancer itself: key, value, remedy.</summary>
internal static class OptionsError
{
    public static string Of(string key, string? value, string remedy)
        => string.IsNullOrEmpty(value) ? $"{key} is not set: {remedy}." : $"{key} is '{value}': {remedy}.";
}
