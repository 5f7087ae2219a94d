using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace StickyWs.Affinity;

/// <summary>Seals with ASP.NET Core Data Protection, using the application's key ring and its rotation.</summary>
/// <param name="protector">For one purpose.</param>
/// <param name="failed">Called when nothing can be sealed, for example because the key ring cannot be reached.</param>
internal sealed class DataProtectionSeal(IDataProtector protector, Action<CryptographicException> failed) : CookieSeal
{
    public override string? Seal(ReadOnlySpan<byte> content)
    {
        try
        {
            return Base64Url.EncodeToString(protector.Protect(content.ToArray()));
        }
        catch (CryptographicException e)
        {
            failed(e);
            return null;
        }
    }

    public override int Open(ReadOnlySpan<byte> text, Span<byte> content, out bool isOld)
    {
        isOld = false;
        Span<byte> token = stackalloc byte[LongestText];
        if (text.Length > LongestText || Base64Url.DecodeFromUtf8(text, token, out _, out var length) != OperationStatus.Done) return -1;
        try
        {
            var opened = protector is IPersistedDataProtector persisted
                ? persisted.DangerousUnprotect(token[..length].ToArray(), ignoreRevocationErrors: false, out isOld, out _)
                : protector.Unprotect(token[..length].ToArray());
            return opened.AsSpan().TryCopyTo(content) ? opened.Length : -1;
        }
        catch (CryptographicException)
        {
            return -1;
        }
    }
}
