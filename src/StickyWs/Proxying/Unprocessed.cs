using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace StickyWs.Proxying;

/// <summary>
/// Whether an HTTP/2 backend says that it did not process a request: by REFUSED_STREAM, or by a GOAWAY with an earlier last stream (RFC 9113 section
/// 8.7). The HTTP client repeats such a request three times, but exposes this knowledge only in an internal property.
/// </summary>
internal static class Unprocessed
{
    private const int NoError = 0;
    private const int RefusedStream = 7;
    private const string Retry = "RetryOnConnectionFailure";

    private static readonly PropertyInfo? AllowRetry = Find();

    public static bool IsSaidBy(HttpRequestException exception) => exception.InnerException switch
    {
        HttpProtocolException { ErrorCode: RefusedStream } => true,
        HttpProtocolException or null => AllowRetry?.GetValue(exception)?.ToString() == Retry,
        _ => false,
    };

    /// <summary>
    /// Whether an HTTP/2 backend closed the connection gracefully (GOAWAY with NO_ERROR). The HTTP client uses such a connection for requests until
    /// it receives the GOAWAY; the exception does not tell whether this request was sent.
    /// </summary>
    public static bool IsGoodbye(HttpRequestException exception) => exception.InnerException is HttpProtocolException { ErrorCode: NoError };

    [DynamicDependency("AllowRetry", typeof(HttpRequestException))]
    private static PropertyInfo? Find()
        => typeof(HttpRequestException).GetProperty("AllowRetry", BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public);
}
