using System.Numerics;

namespace StickyWs.Http1;

/// <summary>The content type of gRPC.</summary>
internal static class GrpcContent
{
    private const string Type = "application/grpc";

    /// <summary><c>application/grpc</c>, <c>+proto</c>, <c>;charset</c>; but not <c>application/grpc-web</c>, which is meant for HTTP/1.1.</summary>
    public static bool IsOne<T>(ReadOnlySpan<T> contentType)
        where T : unmanaged, IBinaryInteger<T>
        => contentType.Length >= Type.Length
            && HeaderNames.Is(contentType[..Type.Length], Type)
            && (contentType.Length == Type.Length || IsEnd(contentType[Type.Length]));

    private static bool IsEnd<T>(T letter)
        where T : unmanaged, IBinaryInteger<T>
        => letter == T.CreateTruncating('+') || letter == T.CreateTruncating(';') || letter == T.CreateTruncating(' ');
}
