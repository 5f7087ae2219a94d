namespace StickyWs.Redis;

/// <summary>The form of a configuration error, as the balancer's own: key, value, remedy.</summary>
internal static class OptionsError
{
    public static string Of(string key, string? value, string remedy)
        => string.IsNullOrEmpty(value) ? $"{key} is not set: {remedy}." : $"{key} is '{value}': {remedy}.";
}
