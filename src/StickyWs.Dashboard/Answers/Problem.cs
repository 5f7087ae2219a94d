namespace StickyWs.Dashboard.Answers;

/// <summary>Why a request was not served: problem details (RFC 9457), with members of its own where they help.</summary>
/// <param name="Type">Names the kind of the problem, for programs.</param>
/// <param name="Title">The same for people.</param>
/// <param name="Status">The status code.</param>
/// <param name="Detail">What went wrong this time, and the remedy.</param>
internal sealed record Problem(string Type, string Title, int Status, string Detail)
{
    private const int LongestEcho = 200;

    /// <summary>The parameter that is wrong.</summary>
    public string? Parameter { get; init; }

    /// <summary>Its value, cut to 200 characters.</summary>
    public string? Value { get; init; }

    /// <summary>What there is instead.</summary>
    public IReadOnlyList<string>? Known { get; init; }

    /// <summary>What is left of the drains that were waited for.</summary>
    public IReadOnlyList<DrainAnswer>? Drains { get; init; }

    public static Problem Forbidden(string kind, string detail) => new($"urn:stickyws:{kind}", "Not allowed", 403, detail);

    public static Problem BadParameter(string parameter, string? value, string remedy)
    {
        var was = value is null ? "missing" : $"'{Cut(value)}'";
        return new Problem("urn:stickyws:bad-parameter", "Bad parameter", 400, $"The parameter '{Cut(parameter)}' is {was}: {remedy}.")
        {
            Parameter = Cut(parameter),
            Value = value is null ? null : Cut(value),
        };
    }

    public static Problem NoBody()
        => new("urn:stickyws:unexpected-body", "Unexpected body", 400, "The request has a body: send none, and put parameters into the query.");

    public static Problem NotFound(string detail, IEnumerable<string> known)
        => new("urn:stickyws:not-found", "Not found", 404, detail) { Known = [.. known] };

    public static Problem WrongMethod(string method, IReadOnlyList<string> allowed)
    {
        var detail = $"{Cut(method)} is not allowed here: use {string.Join(" or ", allowed)}.";
        return new Problem("urn:stickyws:wrong-method", "Method not allowed", 405, detail) { Known = allowed };
    }

    public static Problem Busy(string detail) => new("urn:stickyws:busy", "Try again later", 503, detail);

    public static Problem NotEmpty(string detail, IReadOnlyList<DrainAnswer> drains)
        => new("urn:stickyws:not-empty", "Not empty in time", 504, detail) { Drains = drains };

    public static Problem Undrained(string detail, IReadOnlyList<DrainAnswer> drains)
        => new("urn:stickyws:undrained", "The drain was cancelled", 409, detail) { Drains = drains };

    /// <summary>What is given back of a request's own words is short, whatever was sent.</summary>
    public static string Cut(string text) => text.Length <= LongestEcho ? text : string.Concat(text.AsSpan(0, LongestEcho), "...");
}
